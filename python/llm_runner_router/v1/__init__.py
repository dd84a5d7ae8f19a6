"""Generated stubs of the services; ``proto/`` holds their source and ``make proto`` writes them.

::

    from llm_runner_router.v1 import router_pb2, router_pb2_grpc

    async with grpc.aio.insecure_channel("localhost:50051") as channel:
        router = router_pb2_grpc.RouterStub(channel)
        async for event in router.ProcessStream(router_pb2.ProcessRequest(prompt="Hello")):
            print(event.chunk.text, end="")
"""
