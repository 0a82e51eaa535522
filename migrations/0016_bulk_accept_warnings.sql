ALTER TABLE "trash_bulk_messages" ADD COLUMN "fault" text;--> statement-breakpoint
ALTER TABLE "trash_bulks" ADD COLUMN "accept_warnings" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE INDEX "trash_bulk_messages_fault" ON "trash_bulk_messages" USING btree ("trash_id") WHERE fault is not null;