"""What a key may do, also where a venue's play-money side does not tell."""

from copytrade.domain.fills import KeyPermissions
from copytrade.errors import Unavailable
from copytrade.exchanges.port import ExchangeClient


async def rights(client: ExchangeClient) -> KeyPermissions:
    """Return a key's rights. Where demo trading has no such call, reading proves the key and nothing can be moved."""
    try:
        return await client.permissions()
    except Unavailable:
        if client.ref.mode != "testnet":
            raise
    await client.balances()
    return KeyPermissions(may_read=True, may_trade=True, may_withdraw=False, may_transfer=False)
