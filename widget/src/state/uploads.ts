// One file on its way: a pure fold of what the browser and the job report, and its sentence for people.
import type { JobEvent, Material, Progress, Uploaded } from "../api/types";

export type UploadPhase = "waiting" | "sending" | "stored" | "failed" | "cancelled";

export interface Upload {
  key: string;
  name: string;
  phase: UploadPhase;
  sent: number;
  size: number;
  materialId: string | null;
  duplicate: boolean;
  error: string | null;
}

export type UploadEvent =
  | { type: "start" }
  | { type: "sent"; bytes: number; size: number }
  | { type: "stored"; uploaded: Uploaded }
  | { type: "failed"; error: string }
  | { type: "cancelled" };

export function newUpload(key: string, name: string, size: number): Upload {
  return { key, name, phase: "waiting", sent: 0, size, materialId: null, duplicate: false, error: null };
}

export function uploadStep(upload: Upload, event: UploadEvent): Upload {
  switch (event.type) {
    case "start":
      return { ...upload, phase: "sending", sent: 0, error: null };
    case "sent":
      if (upload.phase !== "sending") return upload;
      return { ...upload, sent: Math.max(upload.sent, event.bytes), size: event.size || upload.size };
    case "stored":
      return {
        ...upload,
        phase: "stored",
        sent: upload.size,
        materialId: event.uploaded.material_id,
        duplicate: event.uploaded.duplicate,
      };
    case "failed":
      return { ...upload, phase: "failed", error: event.error };
    case "cancelled":
      return upload.phase === "stored" ? upload : { ...upload, phase: "cancelled" };
  }
}

export function uploadSentence(upload: Upload): string {
  switch (upload.phase) {
    case "waiting":
      return "Waiting for its turn";
    case "sending":
      if (upload.size > 0 && upload.sent >= upload.size) return "Sent, being stored…";
      return `Sending, ${percent(upload.sent, upload.size)} of ${megabytes(upload.size)}`;
    case "stored":
      return upload.duplicate ? "This file was already here; nothing was added twice." : "Stored";
    case "failed":
      return upload.error ?? "The upload failed.";
    case "cancelled":
      return "Upload stopped";
  }
}

/** The material with what its job says now. A final job keeps the row's last words until the list is read again. */
export function withJob(material: Material, job: JobEvent): Material {
  if (material.job_id !== job.job_id) return material;
  const progress: Progress = { done: job.done, total: job.total, message: job.message };
  if (job.status === "failed") return { ...material, status: "failed", error: job.error ?? material.error, progress };
  if (job.status === "cancelled") return { ...material, status: "cancelled", progress };
  const started = material.status === "queued" && job.status === "running" ? "processing" : material.status;
  return { ...material, status: started, progress };
}

export function isUnfinished(material: Material): boolean {
  return material.status === "queued" || material.status === "processing" || material.status === "searchable";
}

export function materialSentence(material: Material): string {
  const counted = progressWords(material.progress);
  switch (material.status) {
    case "queued":
      return "Waiting to be read";
    case "processing":
      return counted || "Reading…";
    case "searchable":
      return counted ? `You can ask already. ${counted}` : "You can ask already, it is still being indexed";
    case "ready":
      return ["Ready", extent(material)].filter(Boolean).join(", ");
    case "failed":
      return material.error ?? "This file could not be read.";
    case "cancelled":
      return "Cancelled";
  }
}

const UNITS: Readonly<Record<string, readonly [string, string]>> = {
  page: ["page", "pages"],
  slide: ["slide", "slides"],
  section: ["part", "parts"],
};

/** How much of it there is: "241 pages", "1:32:10" of a recording. */
function extent(material: Material): string {
  if (material.duration_seconds) return clock(material.duration_seconds);
  const names = UNITS[material.segment_kind ?? "page"];
  if (!material.page_count || !names) return "";
  return `${material.page_count} ${material.page_count === 1 ? names[0] : names[1]}`;
}

/** Seconds as a player shows them: 12:05, 1:02:03. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${padded}` : `${minutes}:${padded}`;
}

/** 0..1, or null when nobody knows how much there is. */
export function progressFraction(progress: Progress | null): number | null {
  if (!progress?.total || progress.total <= 0) return null;
  return Math.min(1, Math.max(0, progress.done / progress.total));
}

function progressWords(progress: Progress | null): string {
  if (!progress) return "";
  if (progress.message) return progress.message;
  return progress.total && progress.done > 0 ? `Page ${progress.done} of ${progress.total}` : "";
}

function percent(part: number, whole: number): string {
  return whole > 0 ? `${Math.floor((100 * part) / whole)} %` : "0 %";
}

export function megabytes(bytes: number): string {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${Math.max(1, Math.round(bytes / 1e3))} kB`;
}
