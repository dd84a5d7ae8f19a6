"""Settings of gRPC channels that both ends share."""

from __future__ import annotations

MAX_MESSAGE_BYTES = 64 << 20
"""The log-probabilities of a long prompt are the largest thing that is sent at once."""

ChannelOptions = list[tuple[str, int | str]]

MESSAGE_SIZES: ChannelOptions = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
]

SERVER_OPTIONS: ChannelOptions = [
    *MESSAGE_SIZES,
    # Two servers on one port would share its requests without a word.
    ("grpc.so_reuseport", 0),
    # A dead client is found, and what it asked for is ended, within a minute and a half.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # Clients may ask for signs of life up to every ten seconds, also while a prompt is computed.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 3),
    ("grpc.max_concurrent_streams", 10_000),
]

CLIENT_OPTIONS: ChannelOptions = [
    *MESSAGE_SIZES,
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.max_pings_without_data", 0),
]

CALLER_KEY = "x-caller"
"""Metadata key of the caller's name."""

REQUEST_ID_KEY = "x-request-id"
"""Metadata key of the call's name in the logs; sent back in the trailing metadata."""
