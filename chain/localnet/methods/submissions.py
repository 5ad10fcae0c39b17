"""Methods that send or simulate a transaction."""

from typing import Any

from solders.hash import Hash
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from chain.localnet import texts
from chain.localnet.bank import Simulation, returned_data
from chain.localnet.blocks import BLOCKHASH_AGE
from chain.localnet.chain import Chain, Commitment
from chain.localnet.encoding import AccountForm, return_data_json
from chain.localnet.errors import PREFLIGHT_FAILURE, SIGNATURE_VERIFICATION_FAILURE, RpcError, invalid_params
from chain.localnet.methods.method import Method, in_context, view
from chain.localnet.params import Config, Json, Params, as_key, as_transaction

ENCODINGS = ("base58", "base64")
MAX_AIRDROP_LAMPORTS = 10_000 * 10**9


def send_transaction(chain: Chain, params: Params) -> str:
    """Answer with the signature as soon as the transaction was passed on, which says nothing about its fate."""
    config = params.config(1)
    transaction = as_transaction(params.text(0), config.text("encoding", "base58", among=ENCODINGS))
    config.number("maxRetries")
    if not config.flag("skipPreflight"):
        _preflight(chain, transaction, config)
    if all(transaction.verify_with_results()):
        chain.submit(transaction)
    return str(transaction.signatures[0])


def simulate_transaction(chain: Chain, params: Params) -> Json:
    config = params.config(1)
    commitment = view(chain, config)
    transaction = as_transaction(params.text(0), config.text("encoding", "base58", among=ENCODINGS))
    verify, replace = config.flag("sigVerify"), config.flag("replaceRecentBlockhash")
    if verify and replace:
        raise invalid_params("sigVerify may not be used with replaceRecentBlockhash")
    if verify and not all(transaction.verify_with_results()):
        raise RpcError(SIGNATURE_VERIFICATION_FAILURE, "Transaction signature verification failure")
    replacement = None
    if replace:
        block = chain.latest_sealed(commitment)
        replacement = {"blockhash": str(block.blockhash), "lastValidBlockHeight": block.height + BLOCKHASH_AGE}
        transaction = _with_blockhash(transaction, block.blockhash)
    refusal = chain.check(transaction, commitment)
    simulation = chain.simulate(transaction, commitment=commitment, verify=False) if refusal is None else None
    answer = _simulation_json(simulation, refusal)
    answer["accounts"] = _accounts(chain, config, commitment, simulation)
    return in_context(chain, commitment, answer | ({"replacementBlockhash": replacement} if replacement else {}))


def request_airdrop(chain: Chain, params: Params) -> str:
    """Send lamports from the localnet's faucet, by an ordinary transaction."""
    receiver, lamports = params.key(0), params.number(1)
    if not 0 < lamports <= MAX_AIRDROP_LAMPORTS:
        raise RpcError(-32603, f"airdrop request failed. The most at once is {MAX_AIRDROP_LAMPORTS} lamports.")
    payer = chain.faucet.pubkey()
    instruction = transfer(TransferParams(from_pubkey=payer, to_pubkey=receiver, lamports=lamports))
    for block in reversed(chain.recent_sealed()):
        message = MessageV0.try_compile(payer, [instruction], [], block.blockhash)
        transaction = VersionedTransaction(message, [chain.faucet])
        if chain.land(transaction):
            return str(transaction.signatures[0])
    raise RpcError(-32603, "airdrop request failed. The same one was asked for too often; wait for a block.")


def _preflight(chain: Chain, transaction: VersionedTransaction, config: Config) -> None:
    commitment = config.commitment("preflightCommitment")
    view(chain, Config({"commitment": commitment, "minContextSlot": config.values.get("minContextSlot")}))
    if not all(transaction.verify_with_results()):
        raise RpcError(SIGNATURE_VERIFICATION_FAILURE, "Transaction signature verification failure")
    refusal = chain.check(transaction, commitment)
    simulation = chain.simulate(transaction, commitment=commitment, verify=True) if refusal is None else None
    answer = _simulation_json(simulation, refusal)
    if answer["err"] is not None:
        raise RpcError(PREFLIGHT_FAILURE, f"Transaction simulation failed: {texts.error_text(answer['err'])}", answer)


def _simulation_json(simulation: Simulation | None, refusal: str | None) -> Json:
    if simulation is None:
        return {"err": refusal, "logs": [], "accounts": None, "unitsConsumed": 0, "returnData": None, "innerInstructions": None}
    return {
        "err": simulation.error,
        "logs": list(simulation.meta.logs()),
        "accounts": None,
        "unitsConsumed": simulation.meta.compute_units_consumed(),
        "returnData": return_data_json(returned_data(simulation.meta)),
        "innerInstructions": None,
    }


def _accounts(chain: Chain, config: Config, commitment: Commitment, simulation: Simulation | None) -> list[Any] | None:
    """Return the accounts that were asked for as they would be afterwards."""
    wanted = config.inner("accounts")
    if wanted is None:
        return None
    keys = [as_key(text) for text in wanted.items("addresses")]
    if simulation is None or simulation.error is not None:
        return [None] * len(keys)
    form = AccountForm(chain, Config({"encoding": wanted.values.get("encoding") or "base64"}), commitment)
    return [form.json(_after(chain, simulation, key, commitment)) for key in keys]


def _after(chain: Chain, simulation: Simulation, key: Pubkey, commitment: Commitment) -> Any:
    account = simulation.accounts.get(key)
    if account is None:
        return chain.account(key, commitment)
    return account if account.lamports else None


def _with_blockhash(transaction: VersionedTransaction, blockhash: Hash) -> VersionedTransaction:
    message = transaction.message
    if isinstance(message, MessageV0):
        changed: Message | MessageV0 = MessageV0(
            message.header, message.account_keys, blockhash, message.instructions, message.address_table_lookups
        )
    else:
        header = message.header
        changed = Message.new_with_compiled_instructions(
            header.num_required_signatures,
            header.num_readonly_signed_accounts,
            header.num_readonly_unsigned_accounts,
            message.account_keys,
            blockhash,
            message.instructions,
        )
    return VersionedTransaction.populate(changed, transaction.signatures)


METHODS: dict[str, Method] = {
    "sendTransaction": send_transaction,
    "simulateTransaction": simulate_transaction,
    "requestAirdrop": request_airdrop,
}
