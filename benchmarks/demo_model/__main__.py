"""Train the demo model and write it to a GGUF file: ``python -m benchmarks.demo_model``."""

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console

from benchmarks.demo_model import questions
from benchmarks.demo_model.chat import Encoder
from benchmarks.demo_model.corpus import Corpus
from benchmarks.demo_model.export import export
from benchmarks.demo_model.model import Hyperparameters
from benchmarks.demo_model.score import wrong_answers
from benchmarks.demo_model.tokenizer import train_tokenizer
from benchmarks.demo_model.train import TrainingPlan, train

_REPOSITORY = Path(__file__).parents[2]
_DEFAULT_OUTPUT = _REPOSITORY / "python" / "llm_runner_router" / "demo" / "demo.gguf"


def main(
    output: Annotated[Path, typer.Option(help="The GGUF file to write.")] = _DEFAULT_OUTPUT,
    steps: Annotated[int, typer.Option(min=1, help="Training steps.")] = TrainingPlan.steps,
    seed: Annotated[int, typer.Option(help="Seed of everything.")] = TrainingPlan.seed,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 2,
) -> None:
    """Train the demo model from its corpus, print its scores and write it as GGUF."""
    console = Console()
    torch.set_num_threads(threads)
    corpus = Corpus()
    tokenizer = train_tokenizer(corpus, seed)
    encoder = Encoder(tokenizer)
    sizes = Hyperparameters(vocabulary=tokenizer.get_vocab_size())
    plan = TrainingPlan(seed=seed, steps=steps)
    model = train(
        corpus, encoder, sizes, plan, lambda unfinished: export(unfinished, tokenizer, output)
    )
    development, held_out = questions.development(), questions.held_out()
    wrong = wrong_answers(model, encoder, corpus.facts, development)
    for question in wrong:
        console.print(f"development, wrong: {question.text} ({question.fact})", markup=False)
    console.print(f"development: {len(development) - len(wrong)} of {len(development)} right")
    wrong = wrong_answers(model, encoder, corpus.facts, held_out)
    console.print(f"held out: {len(held_out) - len(wrong)} of {len(held_out)} right")
    export(model, tokenizer, output)
    console.print(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    typer.run(main)
