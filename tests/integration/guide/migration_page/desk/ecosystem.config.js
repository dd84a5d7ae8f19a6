module.exports = { apps: [{ name: 'llm-router', script: 'server.js' }] };
