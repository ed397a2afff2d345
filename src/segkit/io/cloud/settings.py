"""Who may into a bucket of S3, and where it is, as Amazon's own tools find that out.

The environment comes first, then `~/.aws/credentials` and `~/.aws/config`, then what the machine gives: a web identity,
a container, the metadata service of an instance (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from segkit.io.cloud.refused import KEYS, Reason, Refused
from segkit.words import nearest

METADATA_WITHIN = 1.0
"""Seconds for an answer of the metadata service, which is next to the machine or not there."""
_OF_ENVIRONMENT = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_WEB_IDENTITY = ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")
_OF_MACHINE = (
    _WEB_IDENTITY,
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
)
"""Variables with which the library below asks the machine, each time all of them."""
_OTHER_WAYS = ("role_arn", "sso_session", "sso_start_url", "credential_process", "credential_source", "login_session")
"""How a profile may come by credentials that is not followed here."""


class Settings(NamedTuple):
    """What is set for S3."""

    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    region: str | None = None
    endpoint: str | None = None
    """Where it is not Amazon's: a server such as `http://127.0.0.1:9000`."""
    metadata: str | None = None
    """Where the metadata service of the instance is, where it is elsewhere."""

    @property
    def keys(self) -> dict[str, str]:
        """The key, its secret and its token, as Polars, obstore and deltalake name them; nothing where none is set."""
        names = {
            "aws_access_key_id": self.access_key_id,
            "aws_secret_access_key": self.secret_access_key,
            "aws_session_token": self.session_token,
        }
        return {name: value for name, value in names.items() if value is not None}

    @property
    def named(self) -> dict[str, str]:
        """All of it, by these names."""
        names = {
            "aws_region": self.region or "us-east-1",
            "aws_endpoint_url_s3": self.endpoint,  # that of obstore which counts before others
            "aws_endpoint_url": self.endpoint,
            "aws_metadata_endpoint": self.metadata,
            "aws_allow_http": "true" if (self.endpoint or "").lower().startswith("http://") else None,
        }
        return {**self.keys, **{name: value for name, value in names.items() if value is not None}}


def has_file() -> bool:
    """Whether there is a file of credentials at its usual place."""
    return Path(_home("~/.aws/credentials")).exists()


def _home(path: str) -> str:
    return os.path.expanduser(path)  # noqa: PTH111 (without a home, it stays as it is)


def of_s3(bucket: str) -> Settings:
    """What is set for S3; `Refused` where that cannot be right, or where nothing gives credentials."""
    env = os.environ
    _require_whole(env)
    profile = _Profile.asked(env)
    found = Settings(
        region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION") or profile.get("region"),
        endpoint=_endpoint(env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL") or profile.endpoint),
        metadata=env.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
    )
    if "AWS_ACCESS_KEY_ID" in env:
        keys = [env.get(name) for name in _OF_ENVIRONMENT]
    elif all(name in env for name in _WEB_IDENTITY):
        return found
    else:
        keys = profile.keys
    if keys[0]:
        return found._replace(access_key_id=keys[0], secret_access_key=keys[1], session_token=keys[2])
    if not _skips(env) and not any(all(name in env for name in names) for names in _OF_MACHINE):
        _require_metadata(env, found.metadata or "http://169.254.169.254", bucket)
    return found


def _skips(env: Mapping[str, str]) -> bool:
    return env.get("AWS_SKIP_SIGNATURE", "").lower() in ("true", "1", "yes", "on", "y")


def _require_whole(env: Mapping[str, str]) -> None:
    """`Refused` for variables with which the libraries below do something else than Amazon's tools."""
    places = (*_OF_ENVIRONMENT, "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")
    if empty := next((name for name in places if env.get(name) == ""), None):
        raise Refused(f"the environment variable `{empty}` is set, and empty", "unset it", Reason.SETTINGS)
    key, *others = _OF_ENVIRONMENT
    if (key in env) != (others[0] in env) or (others[1] in env and key not in env):
        has = next(name for name in _OF_ENVIRONMENT if name in env)
        lacks = others[0] if has == key else key
        message = f"the environment variable `{has}` is set, and `{lacks}` is not"
        raise Refused(message, "set both, or neither", Reason.SETTINGS)
    for name in places:
        if not env.get(name, "").isprintable() or not env.get(name, "").isascii() or " " in env.get(name, ""):
            message = f"the environment variable `{name}` holds a blank, or a character that cannot be sent"
            raise Refused(message, "set it anew", Reason.SETTINGS)


def _endpoint(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        good = False
    if not good:
        message = "`AWS_ENDPOINT_URL`, or `endpoint_url` of the profile, is no address of a server"
        raise Refused(message, "write it as `https://HOST:PORT`", Reason.SETTINGS)
    return text.rstrip("/")


def _require_metadata(env: Mapping[str, str], address: str, bucket: str) -> None:
    """`Refused` where no metadata service answers: the library below would wait for it for long."""
    missing = Refused(f"no credentials are found for `{bucket}`", KEYS["s3"], Reason.CREDENTIALS)
    if env.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        raise missing
    import socket

    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), METADATA_WITHIN).close()
    except OSError:
        raise missing from None


class _Profile(NamedTuple):
    """A profile of the two files; of what both have, that of the credentials counts."""

    name: str
    values: Mapping[str, str]
    endpoint: str | None

    def get(self, key: str) -> str | None:
        """A value of the profile; None where it is not there, or empty."""
        return self.values.get(key) or None

    @classmethod
    def asked(cls, env: Mapping[str, str]) -> _Profile:
        """The one that the environment names, or `default`; `Refused` for one that is named and nowhere."""
        name = env.get("AWS_PROFILE") or env.get("AWS_DEFAULT_PROFILE")
        of_keys = _read(env.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials")
        of_config = _read(env.get("AWS_CONFIG_FILE") or "~/.aws/config")
        profiles = {section.removeprefix("profile ").strip(): values for section, values in of_config.items()}
        if name is not None and name not in profiles and name not in of_keys:
            message = f"there is no profile `{name}` in `~/.aws/credentials` or `~/.aws/config`"
            hint = nearest(name, [*of_keys, *profiles]) or "look at `AWS_PROFILE`"
            raise Refused(message, hint, Reason.SETTINGS)
        name = name or "default"
        values = {**profiles.get(name, {}), **of_keys.get(name, {})}
        services = of_config.get(f"services {values.get('services')}", {})
        of_s3 = re.search(r"^\s*endpoint_url\s*=\s*(\S+)", services.get("s3", ""), re.MULTILINE)
        return cls(name, values, of_s3[1] if of_s3 else values.get("endpoint_url"))

    @property
    def keys(self) -> list[str | None]:
        """Key, secret and token; `Refused` where they come in a way that is not followed here."""
        keys = [self.get(name) for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")]
        if bool(keys[0]) != bool(keys[1]):
            message = f"profile `{self.name}` has one of `aws_access_key_id` and `aws_secret_access_key`, not both"
            raise Refused(message, "look at `~/.aws/credentials`", Reason.SETTINGS)
        if way := next((one for one in _OTHER_WAYS if one in self.values), None) if not keys[0] else None:
            message = f"profile `{self.name}` comes by its credentials with `{way}`, which is not followed"
            hint = f"let Amazon's tool give them: `aws configure export-credentials --profile {self.name} --format env`"
            raise Refused(message, hint, Reason.SETTINGS)
        return keys


def _read(path: str) -> dict[str, dict[str, str]]:
    """The sections of a file; nothing where there is none."""
    import configparser

    file = Path(_home(path))
    parser = configparser.ConfigParser(interpolation=None, default_section="\0", strict=False)
    try:
        parser.read_string(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, configparser.Error):
        raise Refused(f"`{path}` cannot be read", "look at the file", Reason.SETTINGS) from None
    return {section: dict(parser[section]) for section in parser.sections()}
