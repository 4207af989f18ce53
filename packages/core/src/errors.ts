/** What every error of Hookline has: a code for programs, a message for people. */
export interface CodedError<Code extends string = string> extends Error {
  readonly code: Code;
}

/**
 * Tells an error of a package by the name of its class and not by `instanceof`, which fails where a package is
 * loaded twice.
 */
export function isErrorNamed(error: unknown, name: string): error is CodedError {
  return error instanceof Error && error.name === name && "code" in error;
}
