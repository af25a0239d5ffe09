"""A place in a bucket, by boto3: everything that speaks S3, with the credentials that AWS's own tools find.

It blocks: whoever calls it does so in a thread.
"""

import re
from dataclasses import dataclass, field
from importlib.util import find_spec
from threading import Lock
from typing import Any, BinaryIO

from e2e_orchestrator.errors import InfrastructureError

_CONNECT_SECONDS, _READ_SECONDS, _TRIES = 5, 20, 3
_ADDRESS = re.compile(r"s3://([^/]+)/?(.*)")
_LONGEST_REASON = 300
_URL = re.compile(r"(https?://[^/\s\"]+)[^\s\"]*")


class CannotStore(Exception):  # noqa: N818 - it says what cannot be done, and why.
    """Why something could not be put into the bucket, for people."""


@dataclass(slots=True, kw_only=True)
class S3Place:
    """``address`` is ``s3://bucket`` or ``s3://bucket/prefix``; ``tries`` counts those of boto3 itself."""

    address: str
    tries: int = _TRIES
    _bucket: str = field(init=False)
    _prefix: str = field(init=False)
    _client: Any = field(default=None, init=False)  # Any: boto3 has no types.
    _lock: Lock = field(default_factory=Lock, init=False)

    def __post_init__(self) -> None:
        """Raises InfrastructureError without the extra; talks to nobody yet."""
        found = _ADDRESS.fullmatch(self.address)
        if found is None:
            raise InfrastructureError(f"{self.address} is no address of a bucket")
        self._bucket, self._prefix = found[1], found[2].strip("/")
        if find_spec("boto3") is None:
            raise InfrastructureError(
                f"artifacts: {self.address} needs boto3, which is not installed",
                hint="pip install 'e2e-orchestrator[s3]'",
            )

    def put(self, file: BinaryIO, *, name: str, content_type: str) -> str:
        """Uploads a file and returns its address. Raises CannotStore."""
        # 300 ms that nobody pays who uploads nothing; and that cost no test its time, in a thread.
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        key = "/".join(filter(None, (self._prefix, name)))
        try:
            client = self._connected()
            client.put_object(Bucket=self._bucket, Key=key, Body=file, ContentType=content_type)
            signed: str = client.generate_presigned_url(
                "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=60
            )
        except ClientError as error:
            told = error.response.get("Error", {})
            why = f"{told.get('Code', 'refused')}: {told.get('Message', '')}".rstrip(": ")
            raise CannotStore(why[:_LONGEST_REASON]) from error
        except (BotoCoreError, OSError, ValueError) as error:
            raise CannotStore(_said(error)) from error
        return signed.partition("?")[0]  # The plain address: a signature would be a credential in a report.

    def _connected(self) -> Any:
        from boto3.session import Session  # noqa: PLC0415 - see above.
        from botocore.config import Config  # noqa: PLC0415 - see above.

        with self._lock:
            if self._client is None:
                config = Config(
                    connect_timeout=_CONNECT_SECONDS,
                    read_timeout=_READ_SECONDS,
                    retries={"total_max_attempts": self.tries, "mode": "standard"},
                    # Other servers than AWS do not all know the checksums that newer clients send unasked.
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                )
                self._client = Session().client("s3", config=config)
            return self._client


def _said(error: Exception) -> str:
    """Of addresses only the server: which file it was about is said anyway."""
    return (_URL.sub(r"\1", str(error)) or type(error).__name__)[:_LONGEST_REASON]
