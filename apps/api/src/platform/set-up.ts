import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { createPlatformApi, type PlatformAnswer, type PlatformApi, sentence } from "./platform-api.js";
import { isOwnPlatform, REGISTRATION_NAME, readEventTypes, receiverUrl } from "./receiver.js";
import { readSettings, type Settings, writeSettings } from "./settings-file.js";

export interface SetUp {
  /** Behind the program's name. */
  readonly args: readonly string[];
  readonly environment: Settings;
  /** One line for the person who waits. */
  readonly write: (line: string) => void;
}

export const USAGE = `Connects this app to an XTSystems platform: checks that it answers and takes the API key, writes
the settings, registers the webhook, and has a test sent. May be run again.

  XTSYSTEMS_API_KEY=… npm run setup-webhook -- --platform-url https://platform.example.com --public-url https://hooks.example.com

  --platform-url    where the platform's API is; XTSYSTEMS_API_URL when absent
  --public-url      where the platform reaches this app; API_PUBLIC_URL when absent
  --events          event types with commas between; all of them when absent
  --settings-file   where settings are read and written; when absent .env, by npm that of the repository's root
  --skip-test       for an app that is not running yet

The API key is read from XTSYSTEMS_API_KEY, in the environment or the file: arguments can be seen by everybody on a machine.`;

type Step<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly code: string; readonly message: string };

interface Plan {
  readonly platformUrl: string;
  readonly apiKey: string;
  readonly publicUrl: string;
  readonly events: readonly string[];
  readonly envFile: string;
  readonly secret: string;
  readonly sendsTest: boolean;
}

const webAddress = z.url({ protocol: /^https?$/ });

/** Runs the set-up and answers the exit code: 0, or 1 for a step that failed, or 2 for arguments that are wrong. */
export async function setUpWebhook({ args, environment, write }: SetUp): Promise<0 | 1 | 2> {
  const read = readArguments(args);
  if (!read.ok) {
    write(`(${read.code}) ${read.message}\n\n${USAGE}`);
    return 2;
  }
  if (read.value.help) {
    write(USAGE);
    return 0;
  }
  const result = await planOf(read.value, environment);
  const done = result.ok ? await carryOut(result.value, write) : result;
  if (done.ok) return 0;
  write(`✗ The webhook is not set up (${done.code}). ${done.message}`);
  return 1;
}

async function carryOut(plan: Plan, write: SetUp["write"]): Promise<Step<null>> {
  const api = createPlatformApi({ url: plan.platformUrl, apiKey: plan.apiKey });
  const health = toStep(await api.health());
  if (!health.ok) return health;
  write(`✓ ${plan.platformUrl} answers.`);
  const known = toStep(await api.list());
  if (!known.ok) return known;
  write("✓ It takes the API key.");

  // Before the registration: a secret that the platform signs with must not be lost by a crash in between.
  const saved = await save(plan);
  if (!saved.ok) return saved;
  write(`✓ The settings are in ${resolve(plan.envFile)}.`);

  const url = receiverUrl(plan.publicUrl);
  const registration = { name: REGISTRATION_NAME, url, events: plan.events, secret: plan.secret };
  const registered = toStep(await api.register(registration));
  if (!registered.ok) return registered;
  const how = registered.value.created ? "registered" : "brought up to date";
  write(`✓ The webhook is ${how}: ${plan.events.length} event types go to ${url}.`);
  if (!plan.sendsTest) {
    write("  No test was sent. Start the app, then run this again without --skip-test, or /test-webhook in Discord.");
    return { ok: true, value: null };
  }
  return sendTest(api, registered.value.id, write);
}

async function sendTest(api: PlatformApi, id: string, write: SetUp["write"]): Promise<Step<null>> {
  const tested = toStep(await api.test(id));
  if (!tested.ok) return tested;
  if (!tested.value.success) {
    const message = `The platform says: ${sentence(tested.value.message)} Is the app running with these settings? Start it again, then repeat this.`;
    return { ok: false, code: "test_failed", message };
  }
  write("✓ A test arrived.");
  return { ok: true, value: null };
}

async function save({ envFile, platformUrl, apiKey, publicUrl, secret }: Plan): Promise<Step<null>> {
  try {
    const known = (await readSettings(envFile)).XTSYSTEMS_WEBHOOK_SECRET;
    await writeSettings(envFile, {
      XTSYSTEMS_API_URL: platformUrl,
      XTSYSTEMS_API_KEY: apiKey,
      API_PUBLIC_URL: publicUrl,
      // A list of several that overlap stays as it is.
      XTSYSTEMS_WEBHOOK_SECRET: known || secret,
    });
    return { ok: true, value: null };
  } catch (error) {
    return { ok: false, code: "settings_not_written", message: error instanceof Error ? error.message : String(error) };
  }
}

function readArguments(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        "platform-url": { type: "string" },
        "public-url": { type: "string" },
        events: { type: "string" },
        "settings-file": { type: "string", default: ".env" },
        "skip-test": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return { ok: true, value: values } as const;
  } catch (error) {
    return { ok: false, code: "invalid_arguments", message: error instanceof Error ? error.message : "" } as const;
  }
}

type Arguments = Extract<ReturnType<typeof readArguments>, { ok: true }>["value"];

async function planOf(given: Arguments, environment: Settings): Promise<Step<Plan>> {
  const envFile = given["settings-file"];
  let file: Settings;
  try {
    file = await readSettings(envFile);
  } catch (error) {
    return { ok: false, code: "settings_not_read", message: error instanceof Error ? error.message : String(error) };
  }
  const setting = (name: string) => environment[name] || file[name] || undefined;
  const platformUrl = webAddress.safeParse(given["platform-url"] ?? setting("XTSYSTEMS_API_URL"));
  const publicUrl = webAddress.safeParse(given["public-url"] ?? setting("API_PUBLIC_URL"));
  const apiKey = setting("XTSYSTEMS_API_KEY");
  const types = readEventTypes(given.events ?? null);
  const missing = (message: string) => ({ ok: false, code: "invalid_setting", message }) as const;
  if (!platformUrl.success) return missing("--platform-url, or XTSYSTEMS_API_URL, has to be an http or https address.");
  if (!publicUrl.success) return missing("--public-url, or API_PUBLIC_URL, has to be an http or https address.");
  if (apiKey === undefined) return missing("XTSYSTEMS_API_KEY is not set.");
  if (!types.ok) return missing(`There is no event "${types.unknown}".`);
  if (isOwnPlatform(platformUrl.data, publicUrl.data)) {
    const message = "The platform is this app itself: it would be told of its own events without end.";
    return { ok: false, code: "own_platform", message };
  }
  return {
    ok: true,
    value: {
      platformUrl: platformUrl.data.replace(/\/+$/, ""),
      publicUrl: publicUrl.data.replace(/\/+$/, ""),
      apiKey,
      events: types.events,
      envFile,
      // The newest of those that are known; a new one where there is none.
      secret: setting("XTSYSTEMS_WEBHOOK_SECRET")?.split(",")[0]?.trim() || randomBytes(32).toString("base64url"),
      sendsTest: !given["skip-test"],
    },
  };
}

function toStep<Value>(answer: PlatformAnswer<Value>): Step<Value> {
  return answer.ok ? answer : { ok: false, code: answer.reason, message: answer.message };
}
