"""Client of a Collage image-classification pipeline.

    with collage_client.Client("tcp://127.0.0.1:5570") as client:
        client.connect()                             # raises Unreachable if no broker answers
        client.submit(open("photo.jpg", "rb").read())
        for result in client.results():              # until everything is answered
            print(result.request, result.status, result.name, result.latency_s)

AsyncClient offers the same to asyncio.  Both promise what the C++ library does: every submitted
image gets exactly one Result, from the broker or, shortly after its deadline, from the client
itself; unanswered images are submitted again when the broker has restarted.
"""

from collage_client.aio import AsyncClient
from collage_client.choice import choose_broker, rank_brokers
from collage_client.client import Client
from collage_client.keys import Keys
from collage_client.result import Result, json_line
from collage_client.session import Unreachable

__all__ = ["AsyncClient", "Client", "Keys", "Result", "Unreachable", "choose_broker",
           "json_line", "rank_brokers"]
