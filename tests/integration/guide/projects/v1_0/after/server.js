const express = require('express');
const { LLMRouter } = require('llm-runner-router');

const router = new LLMRouter({
  maxConcurrentRequests: 10,
  enableCaching: true,
  logLevel: 'info',
});

router.addModel({ name: 'my-model', path: './models/model.gguf', type: 'gguf' });

express()
  .get('/', async (request, response) => {
    const result = await router.generate({ input: request.query.q, max_tokens: 50 });
    response.send(result.text);
  })
  .listen(process.env.PORT);
