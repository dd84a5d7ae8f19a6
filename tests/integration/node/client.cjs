// What a Node program does with the .proto files alone: streams an answer, holds a session,
// and meets an error. Prints one line of JSON. Usage: node client.cjs ADDRESS PROTO_FOLDER
"use strict";

const grpc = require("@grpc/grpc-js");
const protoLoader = require("@grpc/proto-loader");

const [address, protoFolder] = process.argv.slice(2);
const definition = protoLoader.loadSync(
  ["llm_runner_router/v1/router.proto", "llm_runner_router/v1/registry.proto"],
  { includeDirs: [protoFolder], keepCase: true, enums: String, defaults: true, oneofs: true },
);
const { v1 } = grpc.loadPackageDefinition(definition).llm_runner_router;
const router = new v1.Router(address, grpc.credentials.createInsecure());
const registry = new v1.Registry(address, grpc.credentials.createInsecure());

function streamed(request) {
  return new Promise((resolve, reject) => {
    const answer = { kinds: [], text: "" };
    const call = router.ProcessStream(request);
    call.on("data", (message) => {
      answer.kinds.push(message.event);
      if (message.event === "chunk") answer.text += message.chunk.text;
      if (message.event === "complete") answer.complete = message.complete;
    });
    call.on("error", reject);
    call.on("end", () => resolve(answer));
  });
}

function session(requests) {
  return new Promise((resolve, reject) => {
    const texts = {};
    const call = router.Converse();
    call.on("data", (message) => {
      texts[message.request_id] ??= "";
      if (message.event === "chunk") texts[message.request_id] += message.chunk.text;
      if (message.event === "failure") texts[message.request_id] = message.failure.reason;
    });
    call.on("error", reject);
    call.on("end", () => resolve(texts));
    for (const [request_id, request] of Object.entries(requests)) {
      call.write({ start: { request_id, request } });
    }
    call.end();
  });
}

function unary(client, method, request) {
  return new Promise((resolve) => {
    client[method](request, (error, answer) => resolve(error ? { code: error.code } : answer));
  });
}

async function main() {
  const prompt = { prompt: "one two three", temperature: 0, seed: 4294967295 };
  const result = {
    stream: await streamed(prompt),
    session: await session({ a: { prompt: "first" }, b: { prompt: "second", model: "absent" } }),
    models: (await unary(registry, "ListModels", {})).models.map((model) => model.id),
    absent: await unary(registry, "GetModel", { id: "absent" }),
  };
  console.log(JSON.stringify(result));
  router.close();
  registry.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
