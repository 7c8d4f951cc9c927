import { DefaultNamingStrategy } from 'typeorm';

/** camelCase properties are snake_case columns; everything else keeps TypeORM's generated names, which the drift check compares. */
export class SnakeNaming extends DefaultNamingStrategy {
  override columnName(propertyName: string, customName: string | undefined): string {
    return customName ?? propertyName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  }
}
