// Notes, summed up.
const { LLMRouter } = require('llm-runner-router');

const router = new LLMRouter('./config.json');
router.loadModel('model-id');

module.exports = (text) => router.generate({ input: text });
