import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A certificate and its private key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** An authority of the test's own, and what it signs. */
export interface Authority extends KeyPair {
  issue(commonName: string, alternativeNames?: string): KeyPair;
  /** One that ended a day ago. */
  issueExpired(commonName: string): KeyPair;
}

export function createAuthority(): Authority {
  const own = openssl((file) => {
    execFileSync("openssl", [...request("Test authority"), "-keyout", file("key"), "-out", file("cert")], QUIET);
  });
  return {
    ...own,
    issue: (commonName, alternativeNames = "IP:127.0.0.1,DNS:localhost") =>
      openssl((file) => {
        writeFileSync(file("ca-cert"), own.cert);
        writeFileSync(file("ca-key"), own.key);
        const names = [
          "-addext",
          `subjectAltName=${alternativeNames}`,
          "-addext",
          "basicConstraints=critical,CA:FALSE",
        ];
        const signer = ["-CA", file("ca-cert"), "-CAkey", file("ca-key")];
        const files = ["-keyout", file("key"), "-out", file("cert")];
        execFileSync("openssl", [...request(commonName), ...names, ...signer, ...files], QUIET);
      }),
    issueExpired: (commonName) =>
      openssl((file) => {
        writeFileSync(file("ca-cert"), own.cert);
        writeFileSync(file("ca-key"), own.key);
        writeFileSync(file("names"), "subjectAltName=IP:127.0.0.1");
        const asked = ["req", ...NEW_KEY, "-subj", `/CN=${commonName}`, "-keyout", file("key"), "-out", file("asked")];
        execFileSync("openssl", asked, QUIET);
        const signer = ["-CA", file("ca-cert"), "-CAkey", file("ca-key"), "-extfile", file("names"), "-days", "-1"];
        execFileSync("openssl", ["x509", "-req", "-in", file("asked"), ...signer, "-out", file("cert")], QUIET);
      }),
  };
}

const QUIET = { stdio: "pipe" } as const;

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

function request(commonName: string): readonly string[] {
  return ["req", "-x509", ...NEW_KEY, "-days", "2", "-subj", `/CN=${commonName}`];
}

function openssl(make: (file: (name: string) => string) => void): KeyPair {
  const directory = mkdtempSync(join(tmpdir(), "hookline-certificates-"));
  const file = (name: string): string => join(directory, `${name}.pem`);
  try {
    make(file);
    return { cert: readFileSync(file("cert"), "utf8"), key: readFileSync(file("key"), "utf8") };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
