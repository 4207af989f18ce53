/** Sends one mail. Resolves when the mail is accepted for sending; throws otherwise. */
export interface Mailer {
  send(mail: Mail): Promise<void>;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** In whose name it is sent, for mailers that tell tenants apart. */
  readonly tenantId?: string;
}
