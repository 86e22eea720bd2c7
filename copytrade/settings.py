"""Every tunable of the service: one frozen object, read once from `COPYTRADE_*` variables."""

from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal, Self

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Values with their unit and reason; the environment wins over the defaults."""

    model_config = SettingsConfigDict(env_prefix="COPYTRADE_", frozen=True, extra="ignore")

    # Where things live
    var: Path = ROOT / "var"
    """Folder of everything that is made at run time: engines' data, logs, build, keys of a local installation."""
    database_url: str = ""
    """SQLAlchemy URL of an external PostgreSQL; empty: the embedded one (the launcher sets it)."""
    redis_url: str = ""
    """URL of an external Redis or Valkey; empty: the embedded one (the launcher sets it)."""
    environment: Literal["production", "sandbox"] = "sandbox"
    """`production` refuses the sandbox, default keys and a clock offset."""

    # The web
    host: str = "127.0.0.1"
    port: int = 3000
    public_url: str = ""
    """What people type and what mails link to; empty: http://localhost:port."""
    web_workers: int = 2
    copy_workers: int = 2
    """How many processes plan and send copies (the launcher's default for the sandbox is 1)."""
    billing_workers: int = 2
    """How many processes work off what Stripe tells (the launcher's default for the sandbox is 1)."""
    cookie_secure: bool = False
    """True behind TLS: the session cookie is then `__Host-session`, Secure."""
    metrics_port: int = 0
    """Inner port of /metrics, /livez, /readyz of the web process; 0: only on the main port's loopback."""

    # Sandbox: exchanges, Stripe and mail of demo and tests
    sandbox_host: str = "127.0.0.1"
    sandbox_port: int = 8430
    sandbox_tls_port: int = 0
    """Where the sandbox also listens with TLS, for clients that keep the venues' own addresses; 0: nowhere."""
    sandbox_seed: int = 7
    sandbox_smtp_port: int = 0
    """0: the sandbox picks a free port and tells it on /mail/smtp."""
    sandbox_history_days: int = 90
    """Days of the traders' past that a new sandbox makes; 0: none, and no traders (tests)."""
    sandbox_candles: Path | None = None
    """CSV of recorded one-minute candles (symbol, open_time, open, high, low, close) to begin the prices with."""
    sandbox_weight_per_minute: int = 2400
    """Request weight an address may use at the sandbox's perpetuals, as at Binance. The launcher sets much more: on one
    machine the service and whoever trades by hand share one address, which they never do in earnest."""
    sandbox_limits_factor: float = 1.0
    """By how much more than the venues allow an address we take the sandbox to allow: as its own limits are set."""
    demo_bots: bool = True
    failpoints: bool = False
    """Whether processes die at labelled places that are armed (copytrade/failpoints.py); tests only."""

    # Secrets of the installation; the launcher makes them for a local one in var/keys
    keyring: SecretStr = SecretStr("")
    """Private X25519 keys that open exchange secrets, `id:base64` joined by commas, newest first; workers only."""
    sealing_key: str = ""
    """Public half of the newest key of the ring, `id:base64`: all that the web process has."""
    pepper: SecretStr = SecretStr("")
    """Key of the HMAC by which an API key is recognised without being stored in clear."""
    service_token_key: SecretStr = SecretStr("")
    """Key that signs the services' tokens of the REST API."""
    installation_nonce: str = ""
    """Goes into every client order id, so that two installations on one account never collide."""

    # Exchanges
    exchange_modes: tuple[str, ...] = ("sandbox",)
    """Which of live, testnet, sandbox an account may be linked in."""
    sandbox_exchange_url: str = ""
    """Base of the sandbox's exchanges, http://host:port; empty: from sandbox_host and sandbox_port."""
    paper_exchange_url: str = ""
    """Base of the exchange of paper accounts, http://host:port; empty: the sandbox, in production `paper_host`."""
    paper_host: str = "127.0.0.1"
    paper_port: int = 8440
    """Of the first venue's paper exchange, Binance; Bybit's and Bitget's listen on the next two."""
    paper_token: SecretStr = SecretStr("")
    """What opens accounts at the paper exchange. Production has paper accounts only where this is set."""
    paper_feed_url: str = ""
    """Base of the public streams and rules that the paper exchange follows, http://host:port; empty: the venues'."""
    paper_listing: Path | None = None
    """The list of symbols of a paper exchange; it sets that for itself, having asked its venue."""
    paper_symbols: int = 200
    """Most symbols of a venue and market that can be traded on paper: those of the largest turnover."""
    paper_limits_factor: float = 100.0
    """By how much more than its venue the paper exchange allows an address: it only has ours."""
    egress_addresses: tuple[str, ...] = ("127.0.0.1",)
    """What we show for the IP rule of an API key: all addresses from which venues see us, those of the proxies too."""
    egress_proxies: tuple[SecretStr, ...] = ()
    """Proxies to reach the venues through, as URLs (http://user:password@host:port), or the word `direct` for the way
    without one. Each account is bound to one of them; empty: all go directly."""
    egress_in_sandbox: bool = False
    """Whether accounts in sandbox mode go through the proxies too; the sandbox is on the same machine or network."""
    read_patience_s: float = 5.0
    """How long a read may wait until it fits into the venue's limits before it is given up."""
    warm_clients: int = 5000
    """Most exchange clients that a process keeps ready."""
    order_receive_window_ms: int = 5000
    """How long the venue may still accept an order that we signed; short, since it bounds the wait for `lost`."""
    order_lost_after_s: float | None = None
    """Test installations only: how long after the receive window an order that is nowhere may still arrive, instead of
    what each venue's facts say."""
    request_timeout_ms: int = 10_000
    order_lease_margin_s: int = 15
    """An order's lease is its validity plus this (copy-engine, Never twice)."""

    # Capture
    poll_interval_s: float = 5.0
    """REST polling of every lead account, the truth beside the stream."""
    capture_spare_s: float = 5.0
    """How long a fill may wait for what may be missing before it, and what lies between two readings that agree."""
    copy_poll_interval_s: float = 30.0
    """The same for copy accounts, so that a subscriber sees what he traded himself."""
    copy_polls_per_s: float = 3.0
    """At most so many of them by one process: a thousand copy accounts must not take its address from the leads."""
    stream_heartbeat_s: float = 30.0
    """Silence beyond this rebuilds a stream's client."""
    silence_after_s: float = 120.0
    """A trader is silent when for so long neither a poll of his account was completed nor his stream stood."""
    stream_lease_s: int = 5
    """After this a dead stream process's accounts move to another."""
    snapshot_interval_s: int = 60
    """Equity snapshots of every linked account."""
    copy_equity_max_age_s: int = 300
    lead_equity_max_age_s: int = 30

    # Copying
    symbol_min_day_volume: Decimal = Decimal(5_000_000)
    """In USDT: what turned over less in 24 hours is not copied, so that nobody pumps a coin into his subscribers."""
    fill_volume_share: Decimal = Decimal("0.001")
    """All copies of one lead fill together take at most this share of the symbol's 24 hours."""
    sweep_interval_s: float = 1.0
    drive_batch: int = 250
    """Most legs that one transaction claims."""
    plan_batch: int = 250
    """Most subscribers of a trader who are planned in one transaction; the first of them need not wait for the last."""
    plan_sends: int = 1000
    """Most orders of one plan that the process which plans sends itself; the rest is for whoever comes first. Fewer
    where workers have cores of their own and traders more subscribers than that."""
    max_entry_age_s: int = 60

    # Payments
    stripe_key: SecretStr = SecretStr("")
    stripe_webhook_secret: SecretStr = SecretStr("")
    stripe_connect_webhook_secret: SecretStr = SecretStr("")
    """Of the endpoint that hears of connected accounts, where Stripe keeps a second one for them."""
    stripe_url: str = ""
    """Empty: Stripe itself; else the base address the SDK talks to (the sandbox's /stripe)."""
    stripe_portal_enabled: bool = True
    platform_share: Decimal = Decimal("0.20")
    """The platform's part of each paid period; the trader gets the rest, the larger part."""
    currency: str = "usd"
    """In which a new profile's price is, unless its trader chooses another of `price_bounds`."""
    price_bounds: dict[str, tuple[Decimal, Decimal]] = {"usd": (Decimal(1), Decimal(10_000))}
    """The currencies that a price may be in, each with the lowest and highest price of a month."""
    price_notice_days: int = 30
    """So long before a renewal a subscriber has to know of its new price."""
    trial_most_days: int = 30
    """Most free days that a trader may offer; 0: none."""
    trial_notice_days: int = 3
    """So long before a trial ends its subscriber is told what will be charged."""
    paid_copying_off: tuple[str, ...] = ()
    """Countries (ISO 3166-1 alpha-2) whose residents cannot subscribe for money."""
    refund: Literal["none", "pro_rata"] = "none"
    """What a subscriber gets back who ends at once, and whose trader is gone: nothing (it then runs through the paid
    time), or what the unused days are worth."""
    payment_grace_days: int = 3
    payment_unpaid_days: int = 7
    """After the grace, until a subscription that stays unpaid ends."""
    stripe_fees_by: Literal["platform", "trader"] = "platform"
    """Who bears what Stripe keeps of a payment; `trader`: it lowers his share."""
    payout_hold_days: int = 7
    """So long after a payment the trader's share of it is held, for refunds and disputes."""
    payout_every: Literal["daily", "weekly", "monthly"] = "weekly"
    """When shares are transferred: every day, on Mondays, or on the first of the month (UTC)."""
    payout_minimum: Decimal = Decimal(25)
    """Less than this, in the currency that is owed, waits for the next date."""
    reconcile_days: int = 30
    """So far back the nightly comparison with Stripe's lists goes."""

    # People
    argon2_memory_kib: int = 65536
    argon2_time_cost: int = 3
    session_idle_hours: int = 24
    session_absolute_days: int = 14
    login_attempts_per_account: str = "5/15minutes"
    login_attempts_per_address: str = "20/5minutes"
    registrations_per_address: str = "60/10minutes"
    trusted_proxies: tuple[str, ...] = ()

    # Mail
    smtp_host: str = ""
    smtp_port: int = 25
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool = False
    mail_from: str = "CopyTrade <no-reply@copytrade.example>"

    # REST API for services
    api_orders_enabled: bool = False
    """Contract 9, POST /orders by service token."""
    api_account_secrets_enabled: bool = False
    """Contract 7, GET /accounts/{subscriberId} by service token."""

    @model_validator(mode="after")
    def _keep_tests_out_of_production(self) -> Self:
        if self.is_production and (self.failpoints or self.order_lost_after_s is not None):
            raise ValueError("failpoints and order_lost_after_s are for test installations, never for production")
        return self

    @model_validator(mode="after")
    def _keep_prices_possible(self) -> Self:
        if self.currency not in self.price_bounds:
            raise ValueError(f"currency was {self.currency}, which is none of price_bounds")
        if any(code != code.lower() or not 0 < low <= high for code, (low, high) in self.price_bounds.items()):
            raise ValueError(
                "price_bounds are by lower-case currency: a lowest price above 0 and a highest not below it"
            )
        return self

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def web_url(self) -> str:
        """Address of the web app without a trailing slash."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def web_origins(self) -> tuple[str, ...]:
        """Origins a browser may post and open websockets from: our own address, under both names of this machine."""
        here = () if self.public_url else (f"http://localhost:{self.port}", f"http://127.0.0.1:{self.port}")
        return here or (self.web_url,)

    @property
    def sandbox_url(self) -> str:
        """Base address of the sandbox without a trailing slash."""
        return (self.sandbox_exchange_url or f"http://{self.sandbox_host}:{self.sandbox_port}").rstrip("/")

    @property
    def is_paper_served(self) -> bool:
        """Whether copies can be tried out on paper."""
        return not self.is_production or bool(self.paper_token.get_secret_value())

    def paper_url(self, venue: str) -> str:
        """Base address of a venue's paper exchange without a trailing slash."""
        own = f"http://{self.paper_host}:{self.paper_port_of(venue)}" if self.is_production else self.sandbox_url
        return (self.paper_exchange_url or own).rstrip("/")

    def paper_port_of(self, venue: str) -> int:
        """Return where a venue's paper exchange listens."""
        return self.paper_port + ("binance", "bybit", "bitget").index(venue)


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process, read from the environment once."""
    return Settings()
