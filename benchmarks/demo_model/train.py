"""Training on the CPU: AdamW, a short warm-up, then a cosine to zero; the seed decides all."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own customary name
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.demo_model.batches import Batch, batches
from benchmarks.demo_model.chat import Encoder
from benchmarks.demo_model.corpus import Corpus
from benchmarks.demo_model.model import Hyperparameters, Model


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that training depends on besides the corpus."""

    seed: int = 20
    steps: int = 4000
    tokens_per_batch: int = 1024
    learning_rate: float = 2e-3
    warm_up_steps: int = 100
    weight_decay: float = 0.05
    dropout: float = 0.05
    log_every: int = 100
    save_every: int = 500


def train(
    corpus: Corpus,
    encoder: Encoder,
    sizes: Hyperparameters,
    plan: TrainingPlan,
    save: Callable[[Model], None],
) -> Model:
    """A model trained on ``plan.steps`` batches, in evaluation mode.

    ``save`` gets the unfinished model now and then, so that an interrupted run leaves something.
    """
    torch.manual_seed(plan.seed)
    model = Model(sizes, plan.dropout)
    optimizer = _optimizer(model, plan)
    source = batches(corpus, encoder, plan.seed, plan.tokens_per_batch)
    model.train()
    with _progress() as progress:
        task = progress.add_task("training", total=plan.steps, loss=math.nan)
        for step, loss in enumerate(_losses(model, optimizer, source, plan), start=1):
            progress.update(task, advance=1, loss=loss)
            if step % plan.log_every == 0:
                progress.console.print(f"step {step}: loss {loss:.4f}")
            if step % plan.save_every == 0:
                save(model)
    return model.eval()


def _losses(
    model: Model, optimizer: torch.optim.Optimizer, source: Iterator[Batch], plan: TrainingPlan
) -> Iterator[float]:
    smooth = math.nan
    for step in range(plan.steps):
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(step, plan)
        loss = _loss(model, next(source))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        smooth = loss.item() if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss.item()
        yield smooth


def _loss(model: Model, batch: Batch) -> torch.Tensor:
    inputs, targets, weights = batch
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = model(inputs)
        counted = weights > 0
        logits = model.logits(hidden[counted])
    losses = F.cross_entropy(logits.float(), targets[counted], reduction="none")
    return (losses * weights[counted]).sum() / weights.sum()


def _learning_rate(step: int, plan: TrainingPlan) -> float:
    if step < plan.warm_up_steps:
        return plan.learning_rate * (step + 1) / plan.warm_up_steps
    done = (step - plan.warm_up_steps) / max(1, plan.steps - plan.warm_up_steps)
    return plan.learning_rate * 0.5 * (1.0 + math.cos(math.pi * done))


def _optimizer(model: Model, plan: TrainingPlan) -> torch.optim.Optimizer:
    matrices = [weight for weight in model.parameters() if weight.dim() > 1]
    norms = [weight for weight in model.parameters() if weight.dim() == 1]
    groups = [
        {"params": matrices, "weight_decay": plan.weight_decay},
        {"params": norms, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.98))


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} loss {task.fields[loss]:.4f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
