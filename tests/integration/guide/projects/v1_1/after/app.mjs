import { LLMRouter } from 'llm-runner-router';

const router = new LLMRouter({ configFile: './config/config.json' });
await router.initialize();
