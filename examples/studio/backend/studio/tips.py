"""What the coach knows."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Tip:
    """One piece of advice."""

    id: int
    topic: str
    title: str
    text: str

    def as_json(self) -> dict[str, object]:
        """Return the fields as the API shows them."""
        return asdict(self)


TIPS = (
    Tip(1, "schedule", "Keep two fixed evenings", "Regular viewers come back to a time, not to a game."),
    Tip(2, "sound", "Fix the sound first", "People forgive a blurry picture; they leave when the voice crackles."),
    Tip(3, "branding", "Three colours are enough", "Use one for surfaces, one for text and one for what matters now."),
    Tip(4, "chat", "Greet by name", "The first hello decides whether somebody writes a second line."),
    Tip(5, "branding", "Test emotes at 28 pixels", "If the face is not readable there, remove detail."),
    Tip(6, "growth", "Clip while it is fresh", "Cut the best minute the same evening and post it elsewhere."),
    Tip(7, "schedule", "End while it is fun", "A clear ending with the next date beats one more tired hour."),
    Tip(8, "sound", "Leave room for silence", "Lower the music under your voice by twelve decibels."),
    Tip(9, "chat", "Write rules you enforce", "Three short rules and one moderator keep a room friendly."),
    Tip(10, "growth", "Raid somebody your size", "Shared audiences grow both channels."),
)
TOPICS = tuple(sorted({tip.topic for tip in TIPS}))


def about(topic: str | None) -> list[Tip]:
    """Return the tips on one topic, or all of them."""
    return [tip for tip in TIPS if topic in (None, tip.topic)]
