/** A Discord account, as one tenant knows it. */
export interface DiscordAccount {
  readonly tenantId: string;
  readonly discordId: string;
}

/** What servers can ask of members in a linked role; Discord takes five of them. */
export interface LinkedRoleField {
  /** 1 to 50 of `a-z`, `0-9` and `_`. */
  readonly key: string;
  /** How servers compare: `integer_at_least` …; days since a moment for `datetime_*`. */
  readonly type: keyof typeof LINKED_ROLE_TYPES;
  /** 1 to 100 characters. */
  readonly name: string;
  /** 1 to 200 characters. */
  readonly description: string;
}

/** Discord's numbers of them. */
export const LINKED_ROLE_TYPES = {
  integer_at_most: 1,
  integer_at_least: 2,
  integer_equal: 3,
  integer_not_equal: 4,
  datetime_at_most: 5,
  datetime_at_least: 6,
  boolean_equal: 7,
  boolean_not_equal: 8,
} as const;

/** What is said of one member, by the keys of the fields. */
export type LinkedRoleValues = Readonly<Record<string, number | boolean | Date>>;

/** What the connector keeps of a person's grant. */
export interface LinkedRoleTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAtMs: number;
}

/** Where the tokens lie, encrypted: `engine.accountTokens`, or what does the same. */
export interface LinkedRoleTokenStore {
  /** With `releaseAfterMs`, `released` lists them from then on unless the account is linked, or saved without, before. */
  save(
    account: DiscordAccount,
    tokens: LinkedRoleTokens,
    options?: { readonly releaseAfterMs?: number },
  ): Promise<void>;
  grantedAt(account: DiscordAccount): Promise<Date | null>;
  claim(
    account: DiscordAccount,
    options: { readonly forMs: number },
  ): Promise<
    | {
        readonly status: "claimed";
        readonly tokens: unknown;
        readonly version: number;
        /** From when on `released` lists them, by `releaseAfterMs` or an unlink. */
        readonly releasedAt: Date | null;
      }
    | { readonly status: "busy" | "none" }
  >;
  refresh(account: DiscordAccount, version: number, tokens: LinkedRoleTokens): Promise<number | null>;
  /** The account is linked: `released` does not list it, unless by a later moment than this. */
  keep(account: DiscordAccount, noted: { readonly releasedAt: Date }): Promise<void>;
  release(account: DiscordAccount, version: number): Promise<void>;
  remove(account: DiscordAccount, version: number): Promise<boolean>;
  /** The Discord ids of some accounts of the tenant that are linked to nobody any more, and have tokens; none of `except`. */
  released(tenantId: string, options?: { readonly except: readonly string[] }): Promise<readonly string[]>;
}

export interface LinkedRolesOptions {
  /** Shown on members' profiles; at most 50 characters. */
  readonly platformName: string;
  readonly fields: readonly LinkedRoleField[];
  readonly tokens: LinkedRoleTokenStore;
  /** What is true of a member now; null for one who is not linked. */
  readonly describe: (account: DiscordAccount) => Promise<LinkedRoleValues | null>;
}
