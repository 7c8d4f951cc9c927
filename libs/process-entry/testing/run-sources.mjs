import { register } from 'node:module';

// Lets plain Node run TypeScript sources, for tests only: `node --conditions=source --import <this file> entry.ts`.
register('./source-hooks.mjs', import.meta.url);
