"""What the chain is, a person's wallet, and test money for it. Keys reach none of it: a wallet is a person's."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import IsPerson, person
from chain.api import bodies, schemas
from chain.custody.faucet import faucet_give
from chain.custody.selectors import wallet_view
from chain.custody.wallets import address_of, chain_account_of, wallet_challenge, wallet_link
from chain.deployment import deployment
from markets.api.documentation import PRIVATE_READ_ERRORS, PUBLIC_READ_ERRORS, WRITE_ERRORS, operation
from markets.api.requests import body, query
from markets.api.schemas import NoQuery
from markets.api.views import PublicView

TAG = "Chain"
WRITES = {"POST": "chain"}  # each asks the node several things
READ_ERRORS = (*PRIVATE_READ_ERRORS, 502)
CHAIN_ERRORS = (*WRITE_ERRORS, 409, 502)


class ConfigView(PublicView):
    @operation(
        "chain_config", "Which chain this exchange settles on", tag=TAG, answer=schemas.ChainConfig, errors=PUBLIC_READ_ERRORS, public=True
    )
    def get(self, request: Request) -> Response:
        query(request, NoQuery)
        return Response(bodies.config(deployment()))


class ChallengeView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_wallet_challenge", "Ask for a message that proves a wallet by its signature, once", tag=TAG, body=schemas.ChallengeBody,
        answer=schemas.Challenge, errors=CHAIN_ERRORS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        chain, asked = deployment(), body(request, schemas.ChallengeBody)
        message = wallet_challenge(user=person(request), address=asked.address, domain=request.get_host(), chain=chain)
        return Response({"message": message})


class LinkView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_wallet_link", "Link the wallet that signed, and open its trading account", tag=TAG, body=schemas.LinkBody,
        answer=schemas.LinkedWallet, status=201, errors=CHAIN_ERRORS,
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        chain, asked, user = deployment(), body(request, schemas.LinkBody), person(request)
        wallet = wallet_link(user=user, address=asked.address, signature=asked.signature, chain=chain)
        return Response(bodies.linked(wallet, chain_account_of(user)), status=201)


class WalletView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_wallet", "Your wallet: on chain, in the engine, deposits and keys", tag=TAG, answer=schemas.WalletState, errors=READ_ERRORS
    )
    def get(self, request: Request) -> Response:
        query(request, NoQuery)
        chain = deployment()
        with chain.client() as client:
            return Response(bodies.wallet(wallet_view(user=person(request), client=client, chain=chain)))


class FaucetView(APIView):
    permission_classes = [IsPerson]
    rates = WRITES

    @operation(
        "chain_faucet",
        "Test SOL and USDC, on the localnet only",
        tag=TAG,
        body=schemas.FaucetBody,
        answer=schemas.Relayed,
        errors=CHAIN_ERRORS,
    )
    def post(self, request: Request) -> Response:
        chain, asked = deployment(), body(request, schemas.FaucetBody)
        owner, user_id = address_of(asked.address, field="address"), person(request).pk
        with chain.client() as client:
            signature = faucet_give(client=client, chain=chain, owner=owner, user_id=user_id)
        return Response({"signature": str(signature)})
