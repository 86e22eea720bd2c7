"""Reflex's configuration: everything that differs between installations comes from our own settings."""

import reflex as rx

from copytrade.settings import settings

_settings = settings()

config = rx.Config(
    app_name="copytrade",
    plugins=[
        rx.plugins.RadixThemesPlugin(
            theme=rx.theme(accent_color="iris", gray_color="slate", radius="medium", has_background=True)
        ),
    ],
    disable_plugins=[rx.plugins.SitemapPlugin],
    # One port for pages, websocket and API. It goes into the bundle: the launcher builds for the port it chose.
    frontend_port=_settings.port,
    backend_port=_settings.port,
    backend_host=_settings.host,
    api_url=_settings.web_url,
    deploy_url=_settings.web_url,
    # Governs the websocket too; both names of this machine, since people type either.
    cors_allowed_origins=_settings.web_origins,
    redis_url=_settings.redis_url or None,
    db_url=_settings.database_url or None,
    telemetry_enabled=False,
    show_built_with_reflex=False,
)
