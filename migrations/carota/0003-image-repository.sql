-- Artifacts that the image repository serves as images. Rows are kept: a vehicle in the middle of a cycle may
-- still request a replaced image.
create table published_images (
  path   text collate "C" not null,                       -- target path
  digest text collate "C" not null,                       -- SHA-256 or SHA-512, hexadecimal
  sha256 text collate "C" not null references artifacts,
  primary key (path, digest)
);

-- Images listed in an accepted supplier delivery and still missing: only these may be uploaded for it.
create table expected_images (
  sha256 text collate "C" primary key,
  length bigint not null,                                 -- bytes
  path   text not null,                                   -- target path, for people only
  until  timestamptz not null                             -- when it is no longer expected
);
