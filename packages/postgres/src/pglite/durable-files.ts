/** The parts of Emscripten's Node file system that Postgres's files go through. */
export interface NodeFileSystem {
  readonly stream_ops: { fsync?: (stream: OpenStream) => number };
  realPath(node: unknown): string;
}

interface OpenStream {
  /** Node's own descriptor; directories have none. */
  readonly nfd?: number;
  readonly node: unknown;
}

/** How files get to the disk; injected so that a test can count. */
export interface FileSync {
  byDescriptor(descriptor: number): void;
  byPath(path: string): void;
}

/**
 * Gives Postgres's fsync calls a meaning: PGlite's file system has no such operation, so that they would reach nobody.
 */
export function makeFilesDurable(fileSystem: NodeFileSystem, { byDescriptor, byPath }: FileSync): void {
  fileSystem.stream_ops.fsync = (stream) => {
    if (stream.nfd === undefined) byPath(fileSystem.realPath(stream.node));
    else byDescriptor(stream.nfd);
    return 0;
  };
}
