/** Why a service of the stack is not there; the message is a sentence for the person at the terminal. */
export type StackErrorCode =
  'taken' | 'not-installed' | 'ended-early' | 'not-ready' | 'no-account' | 'bad-setting';

export class StackError extends Error {
  constructor(
    readonly code: StackErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'StackError';
  }
}
