"""A process that inspects a file and prints what that cost: python inspected_process.py FILE."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from llm_runner_router.inspection.inspecting import Load, inspect

if __name__ == "__main__":
    blocks, faults = sys.getallocatedblocks(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    begin = time.process_time()
    report = inspect(Path(sys.argv[1]), Load())
    cost = {
        "seconds": time.process_time() - begin,
        "blocks": sys.getallocatedblocks() - blocks,
        "faults": resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults,
        "parameters": report.parameters,
        "unsupported": list(report.unsupported),
    }
    print(json.dumps(cost))
