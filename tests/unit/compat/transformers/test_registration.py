from __future__ import annotations

import pytest

from llm_runner_router.compat.transformers.registration import check_same, is_new
from llm_runner_router.errors import AlreadyExistsError, ResourceNotFoundError
from llm_runner_router.registry.records import ModelConfig, ModelRecord, ModelView
from llm_runner_router.types import ModelFormat


def record(
    source: str = "hf://org/tiny",
    quantization: str | None = None,
    form: ModelFormat = ModelFormat.HF,
) -> ModelRecord:
    return ModelRecord("tiny", "", form, source, ModelConfig(quantization=quantization))


@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        (record(), record()),
        (record("org/tiny@main"), record()),
        (record(quantization="Q8_0"), record()),
        (record(), record(quantization="F16")),
        (record("file:///models/tiny"), record("/models/tiny")),
    ],
)
def test_the_same_model(present: ModelRecord, wanted: ModelRecord) -> None:
    check_same(present, wanted)


@pytest.mark.parametrize(
    ("present", "wanted", "said"),
    [
        (
            record(quantization="Q8_0"),
            record(quantization="Q4_0"),
            "quantization 'Q8_0' and not 'Q4_0'",
        ),
        (record(), record(quantization="Q4_0"), "quantization 'F16' and not 'Q4_0'"),
        (record("/models/tiny"), record(), "source '/models/tiny' and not 'hf://org/tiny'"),
        (record("hf://org/tiny@v1"), record(), "source 'hf://org/tiny@v1' and not"),
        (record("tiny.gguf", form=ModelFormat.GGUF), record(), "format 'gguf' and not 'hf'"),
    ],
)
def test_what_differs_is_named(present: ModelRecord, wanted: ModelRecord, said: str) -> None:
    with pytest.raises(AlreadyExistsError, match=f"with .*{said}.*--id"):
        check_same(present, wanted)


class AliasOfThatName:
    """A registry whose id is taken by no model."""

    async def register_model(self, model: ModelRecord, /) -> ModelView:
        raise AlreadyExistsError(f"alias {model.id} is registered already")

    async def unregister_model(self, model: str) -> None:
        raise NotImplementedError

    async def get_model(self, model: str) -> ModelView:
        raise ResourceNotFoundError("model", model)

    async def pull_model(
        self, source: str, model: str = "", on_progress: object = None
    ) -> ModelView:
        raise NotImplementedError


async def test_an_alias_that_has_the_id_is_told_of() -> None:
    with pytest.raises(AlreadyExistsError, match="alias tiny"):
        await is_new(AliasOfThatName(), record())
