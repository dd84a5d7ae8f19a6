module.exports = {
  apps: [{ name: 'llm-router', script: 'server.js', env: { NODE_ENV: 'production' } }],
};
