"""The model runs under the settings of an installation, not under the hastier ones of the other tests."""

from collections.abc import Iterator

import pytest

from copytrade.settings import Settings, settings


@pytest.fixture(autouse=True, scope="package")
def _own_settings() -> Iterator[None]:
    usual = Settings.model_fields["capture_spare_s"].default
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COPYTRADE_CAPTURE_SPARE_S", str(usual))
        settings.cache_clear()
        yield
    settings.cache_clear()
