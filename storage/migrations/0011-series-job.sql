-- One condition is good for prom_series and prom_index.
ALTER TABLE prom_series ADD COLUMN IF NOT EXISTS job String ALIAS labels['job'];
