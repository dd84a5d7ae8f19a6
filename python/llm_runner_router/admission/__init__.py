"""How many requests run at once, who of the waiting is next, and what each caller may do."""

from llm_runner_router.admission.admission import Admission, closed
from llm_runner_router.admission.permit import Permit
from llm_runner_router.admission.place import PATIENCE
from llm_runner_router.admission.ticket import Ticket

__all__ = ["PATIENCE", "Admission", "Permit", "Ticket", "closed"]
