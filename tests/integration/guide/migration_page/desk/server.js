const { LLMRouter } = require('llm-runner-router');

const router = new LLMRouter({ configFile: './config/config.json' });
router.generate({ input: 'Hello' }).then(({ text }) => console.log(text));
