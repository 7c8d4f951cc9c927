import { Controller, Get, Module } from '@nestjs/common';
import { z } from 'zod';
import { runApp } from '#libs/runtime';

@Controller()
class SmallController {
  @Get()
  hello(): string {
    return 'hello';
  }
}

@Module({ controllers: [SmallController] })
class SmallModule {}

await runApp({
  name: 'small',
  schema: { config: z.object({}), secrets: z.object({}) },
  build: async () => [{ name: 'http', module: SmallModule, port: 0 }],
});
