/** What a wire carries: a test reads it as it expects it to be. */
// biome-ignore lint/suspicious/noExplicitAny: a wrong guess fails the test that makes it
export type Json = any;
