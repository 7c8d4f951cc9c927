import { startStack } from '#stack';

/** Brings a stack up and holds it until it is stopped or killed: started by crashes.e2e.spec.ts with the folder as argument. */
const stack = await startStack({ dir: process.argv[2] ?? '', env: {}, isDurable: false });
process.stdout.write(`${JSON.stringify(stack.env)}\n`);
process.once('SIGTERM', () => void stack.stop().then(() => process.exit(0)));
setInterval(() => {}, 60_000);
