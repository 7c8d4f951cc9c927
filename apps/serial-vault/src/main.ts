import 'reflect-metadata';
import { runApp } from '#libs/runtime';
import { vaultPlan } from './plan.js';

await runApp(vaultPlan);
