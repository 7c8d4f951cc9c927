#!/usr/bin/env node
import { main } from './main.js';

// The program; it runs from its bundle (tools/bundle.mjs), in a third of the time.
process.exitCode = await main(process.argv.slice(2));
