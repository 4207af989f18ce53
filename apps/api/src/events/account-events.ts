import { defineEvent } from "@hookline/core";
import { z } from "zod";

export const companySchema = z.looseObject({ id: z.string(), name: z.string(), created_at: z.iso.datetime() });

export const userSchema = z.looseObject({
  id: z.string(),
  username: z.string(),
  email: z.string(),
  company_id: z.string().optional(),
  created_at: z.iso.datetime(),
});

export type Company = z.infer<typeof companySchema>;
export type User = z.infer<typeof userSchema>;

export const companyCreated = defineEvent({
  type: "company.created",
  schema: companySchema,
  description: "A company was added.",
  example: { id: "com_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e", name: "Acme", created_at: "2026-01-15T10:30:00.000Z" },
});

export const userCreated = defineEvent({
  type: "user.created",
  schema: userSchema,
  description: "A user account was created.",
  example: {
    id: "usr_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
    username: "anna",
    email: "anna@example.com",
    company_id: "com_0mf2k9a3f6d1c8e4b7a90f2d3c5b1e",
    created_at: "2026-01-15T10:30:00.000Z",
  },
});
