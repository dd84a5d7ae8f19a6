"""How people spoil a question: small words around it, typing errors, missing marks, lower case."""

from random import Random

_OPENINGS = (
    "please", "hey", "hi", "hello", "ok", "okay", "so", "well", "now", "question:",
    "quick question:", "I wonder", "please tell me", "can you tell me", "could you tell me",
    "tell me", "do you know", "I want to know", "I would like to know", "one more thing:",
    "sorry,", "say,", "and", "please explain", "hmm,", "um,", "in short,", "I am new here,",
    "I have a question:", "excuse me,", "another question:", "let me ask:", "just curious:",
    "also", "but", "alright,", "good,", "for my project", "at work", "as a beginner,",
    "I am curious,", "any idea", "does anybody know", "for a colleague:", "simple question,",
    "would you mind telling me", "I forgot",
)  # fmt: skip
_CLOSINGS = (
    "please", "thanks", "here", "exactly", "actually", "for me", "with LLM Runner Router",
    "again", "in LLM Runner Router", "with the router", "in the router", "in this project",
    "right now", "in detail", "in short", "briefly", "in general", "then", "now", "anyway",
    "by the way", "today", "in practice", "these days", "at all", "in one sentence", "quickly",
    "I wonder", "?!", "...", "on my machine", "in my case", "on my server", "if I may ask",
    "in the end", "normally",
)  # fmt: skip
_FILLERS = (
    "really", "just", "actually", "maybe", "simply", "exactly", "also", "then", "still", "even",
    "perhaps", "usually", "currently", "quite", "only", "please", "again", "ever", "kindly",
    "easily", "correctly", "properly", "best", "certain", "whole", "other", "today", "always",
    "often", "here",
)  # fmt: skip
_DROPPABLE = frozenset((
    "a", "an", "the", "do", "does", "is", "are", "my", "your", "of", "to", "in", "for", "it", "its",
    "and", "with", "that", "there", "can", "I", "you", "me", "on", "at",
))  # fmt: skip
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def spoil(question: str, random: Random) -> str:
    """The question as somebody in a hurry might type it; the meaning stays."""
    words = question.split(" ")
    if random.random() < 0.15:
        words = _drop_small_words(words, random)
    if random.random() < 0.15:
        words.insert(random.randrange(len(words) + 1), random.choice(_FILLERS))
    if random.random() < 0.15:
        _mistype(words, random)
    if random.random() < 0.25:
        words.insert(0, random.choice(_OPENINGS))
    if random.random() < 0.2:
        words.append(random.choice(_CLOSINGS))
    return _finish(" ".join(words), random)


def shuffle_keywords(keywords: str, random: Random) -> str:
    """Keywords as typed into a search box, at times in another order."""
    words = keywords.split(" ")
    if random.random() < 0.3:
        random.shuffle(words)
    return " ".join(words)


def _drop_small_words(words: list[str], random: Random) -> list[str]:
    kept = [word for word in words if word not in _DROPPABLE or random.random() < 0.5]
    return kept or words


def _mistype(words: list[str], random: Random) -> None:
    candidates = [index for index, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if not candidates:
        return
    index = random.choice(candidates)
    words[index] = _mistyped(words[index], random)


def _mistyped(word: str, random: Random) -> str:
    at = random.randrange(1, len(word) - 1)
    kind = random.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    return word[:at] + random.choice(_LETTERS) + word[at + 1 :]


def _finish(text: str, random: Random) -> str:
    draw = random.random()
    if draw < 0.45:
        text = text[0].upper() + text[1:]
    elif draw < 0.7:
        text = text.lower()
    elif draw < 0.72:
        text = text.upper()
    if text[-1].isalnum():
        text += random.choices(("?", "", ".", "!", "??"), weights=(60, 30, 6, 2, 2))[0]
    return text
