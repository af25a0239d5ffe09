"""What Twitch asks of each kind of artwork, and whether an image meets it."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Spec:
    """One kind of artwork: size in pixels, limit in bytes."""

    asset_type: str
    label: str
    width: int
    height: int
    max_bytes: int
    transparent: bool
    purpose: str

    def as_json(self) -> dict[str, object]:
        """Return the fields as the API shows them."""
        return asdict(self)


_KIB = 1024
_MIB = 1024 * _KIB

SPECS = {
    spec.asset_type: spec
    for spec in (
        Spec("emote", "Emote", 112, 112, 1 * _MIB, True, "Chat emotes, shown as small as 28 pixels."),
        Spec("badge", "Subscriber badge", 72, 72, 25 * _KIB, True, "The mark beside a subscriber's name."),
        Spec("panel", "Info panel", 320, 160, 1 * _MIB, False, "Headings below the player."),
        Spec("profile", "Profile picture", 256, 256, 10 * _MIB, False, "Your face in every list."),
        Spec("banner", "Profile banner", 1200, 480, 10 * _MIB, False, "The top of your channel page."),
        Spec("offline", "Offline screen", 1920, 1080, 10 * _MIB, False, "What viewers see between streams."),
        Spec("overlay", "Stream overlay", 1920, 1080, 10 * _MIB, True, "A frame around your game."),
        Spec("thumbnail", "Video thumbnail", 1280, 720, 10 * _MIB, False, "The cover of a past broadcast."),
    )
}


def problems(spec: Spec, *, width: int, height: int, size: int) -> list[str]:
    """List what keeps an image from being accepted; empty means it fits.

    >>> problems(SPECS["emote"], width=112, height=100, size=900)
    ['is 112x100 pixels, must be 112x112']
    """
    found = []
    if (width, height) != (spec.width, spec.height):
        found.append(f"is {width}x{height} pixels, must be {spec.width}x{spec.height}")
    if size > spec.max_bytes:
        found.append(f"is {size} bytes, must be at most {spec.max_bytes}")
    return found
