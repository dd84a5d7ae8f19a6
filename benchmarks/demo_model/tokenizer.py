"""The demo model's own vocabulary: byte-level BPE with GPT-2's pre-tokenizer."""

from itertools import islice

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from benchmarks.demo_model.chat import CONTROL_TOKENS
from benchmarks.demo_model.corpus import Corpus

VOCABULARY_SIZE = 3072
_CONVERSATIONS = 40_000


def train_tokenizer(corpus: Corpus, seed: int, vocabulary_size: int = VOCABULARY_SIZE) -> Tokenizer:
    """A tokenizer whose ids 0 to 3 are the control tokens, learned from the corpus."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=list(CONTROL_TOKENS),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(corpus, seed), trainer)
    return tokenizer


def _texts(corpus: Corpus, seed: int) -> list[str]:
    texts: list[str] = []
    for conversation in islice(corpus.conversations(seed), _CONVERSATIONS):
        texts.append(conversation.system)
        for turn in conversation.turns:
            texts.extend((turn.question, turn.answer))
    return texts
