/**
 * The message of ours, as Go templates over {@link templateData}. The first screen says what broke, since when, who causes it,
 * which traces show it, and whether it is over. The names are Alertmanager's, so that a file of `templates:` may replace one.
 */
export const DEFAULT_TEMPLATES = `
{{- define "meshwatch.state" }}{{ if eq .Status "firing" }}FIRING:{{ .Alerts.Firing | len }}{{ else }}RESOLVED{{ end }}{{ end -}}

{{- define "meshwatch.what" }}{{ with .CommonLabels.alertname }}{{ . }}{{ else }}{{ len .Alerts }} alerts{{ end }}{{ with .CommonLabels.destination_service_name }} {{ . }}{{ else with .CommonLabels.cluster_name }} {{ . }}{{ else with .CommonLabels.service }} {{ . }}{{ end }}{{ with .CommonLabels.severity }} ({{ . }}){{ end }}{{ end -}}

{{- define "email.default.subject" }}{{ if .IsLate }}[LATE] {{ end }}[{{ template "meshwatch.state" . }}] {{ template "meshwatch.what" . }}{{ end -}}

{{- define "meshwatch.alert.text" }}{{ with .Annotations.summary }}{{ . }}{{ else }}{{ .Labels.alertname }}{{ end }}
{{ with .Annotations.description }}  {{ . }}
{{ end }}  since    {{ .StartsAt.Format "2006-01-02 15:04:05 MST" }}{{ if eq .Status "resolved" }}
  over     {{ .EndsAt.Format "2006-01-02 15:04:05 MST" }}, after {{ .DurationSeconds | humanizeDuration }}{{ end }}
  labels   {{ range $index, $pair := .Labels.SortedPairs }}{{ if $index }}, {{ end }}{{ $pair.Name }}={{ $pair.Value }}{{ end }}
{{ with .Annotations.runbook_url }}  runbook  {{ . }}
{{ end }}{{ with .GeneratorURL }}  rule     {{ . }}
{{ end }}{{ end -}}

{{- define "meshwatch.evidence.text" }}{{ with .Evidence }}
{{ if .Traces }}TRACES
{{ range .Traces }}  {{ .Why }}: {{ .Service }} {{ .Operation }}, {{ .DurationSeconds | humanizeDuration }}
    {{ if .Link }}{{ .Link }}{{ else }}{{ .TraceID }}{{ end }}
{{ end }}{{ end }}{{ if .EndpointsEjected }}ENDPOINTS EJECTED
{{ range .EndpointsEjected }}  {{ .Endpoint }} of {{ .Cluster }} at {{ .EjectedAt.Format "15:04:05" }}: {{ .Reason }}
{{ end }}{{ end }}{{ if .By503Flag }}503 BY RESPONSE FLAG
{{ range .By503Flag }}  {{ .Flags }}: {{ .Count }} ({{ .Share | humanizePercentage }})
{{ end }}{{ end }}{{ range .Links }}{{ .Title }}: {{ .URL }}
{{ end }}{{ with .Problem }}Evidence is incomplete: {{ . }}
{{ end }}{{ end }}{{ end -}}

{{- define "email.default.text" }}{{ if .IsLate }}This message is late: what it tells of began and ended while it could not be delivered.

{{ end }}{{ if .Alerts.Firing }}FIRING

{{ range .Alerts.Firing }}{{ template "meshwatch.alert.text" . }}
{{ end }}{{ end }}{{ if .Alerts.Resolved }}RESOLVED

{{ range .Alerts.Resolved }}{{ template "meshwatch.alert.text" . }}
{{ end }}{{ end }}{{ template "meshwatch.evidence.text" . }}
-- 
{{ .Receiver }}, {{ .NotificationReason }}{{ with .ExternalURL }}, {{ . }}{{ end }}
{{ end -}}

{{- define "meshwatch.alert.html" }}<div style="border-left:4px solid {{ template "meshwatch.colour" . }};margin:0 0 16px;padding:4px 12px">
<p style="margin:0 0 4px;font-size:16px;font-weight:bold">{{ with .Annotations.summary }}{{ . }}{{ else }}{{ .Labels.alertname }}{{ end }}</p>
{{ with .Annotations.description }}<p style="margin:0 0 4px">{{ . }}</p>
{{ end }}<p style="margin:0 0 4px;color:#444">since {{ .StartsAt.Format "2006-01-02 15:04:05 MST" }}{{ if eq .Status "resolved" }}, over at {{ .EndsAt.Format "15:04:05 MST" }} after {{ .DurationSeconds | humanizeDuration }}{{ end }}</p>
<p style="margin:0 0 4px;color:#444;font-family:monospace;font-size:12px">{{ range .Labels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}</p>
<p style="margin:0">{{ with .Annotations.runbook_url }}<a href="{{ . }}">Runbook</a> {{ end }}{{ with .GeneratorURL }}<a href="{{ . }}">Rule</a>{{ end }}</p>
</div>
{{ end -}}

{{- define "meshwatch.colour" }}{{ if eq .Status "firing" }}#c62828{{ else }}#2e7d32{{ end }}{{ end -}}

{{- define "email.default.html" }}<!doctype html>
<html><head><meta charset="utf-8"><title>{{ template "email.default.subject" . }}</title></head>
<body style="font-family:Helvetica,Arial,sans-serif;font-size:14px;color:#111;max-width:720px;margin:0 auto;padding:16px">
{{ if .IsLate }}<p style="background:#fff3cd;padding:8px 12px"><b>This message is late:</b> what it tells of began and ended while it could not be delivered.</p>
{{ end }}{{ if .Alerts.Firing }}<h2 style="color:#c62828;font-size:18px">Firing</h2>
{{ range .Alerts.Firing }}{{ template "meshwatch.alert.html" . }}{{ end }}{{ end }}{{ if .Alerts.Resolved }}<h2 style="color:#2e7d32;font-size:18px">Resolved</h2>
{{ range .Alerts.Resolved }}{{ template "meshwatch.alert.html" . }}{{ end }}{{ end }}{{ with .Evidence }}{{ if .Traces }}<h3 style="font-size:15px">Traces that show it</h3>
<table style="border-collapse:collapse;font-size:13px">{{ range .Traces }}<tr><td style="padding:2px 12px 2px 0">{{ .Why }}</td><td style="padding:2px 12px 2px 0">{{ .Service }} {{ .Operation }}</td><td style="padding:2px 12px 2px 0">{{ .DurationSeconds | humanizeDuration }}</td><td>{{ if .Link }}<a href="{{ .Link }}">{{ .TraceID }}</a>{{ else }}{{ .TraceID }}{{ end }}</td></tr>
{{ end }}</table>
{{ end }}{{ if .EndpointsEjected }}<h3 style="font-size:15px">Endpoints ejected</h3>
<table style="border-collapse:collapse;font-size:13px">{{ range .EndpointsEjected }}<tr><td style="padding:2px 12px 2px 0">{{ .Endpoint }}</td><td style="padding:2px 12px 2px 0">{{ .Cluster }}</td><td style="padding:2px 12px 2px 0">{{ .EjectedAt.Format "15:04:05" }}</td><td>{{ .Reason }}</td></tr>
{{ end }}</table>
{{ end }}{{ if .By503Flag }}<h3 style="font-size:15px">503 by response flag</h3>
<table style="border-collapse:collapse;font-size:13px">{{ range .By503Flag }}<tr><td style="padding:2px 12px 2px 0">{{ .Flags }}</td><td style="padding:2px 12px 2px 0">{{ .Count }}</td><td>{{ .Share | humanizePercentage }}</td></tr>
{{ end }}</table>
{{ end }}{{ range .Links }}<p style="margin:4px 0"><a href="{{ .URL }}">{{ .Title }}</a></p>
{{ end }}{{ with .Problem }}<p style="color:#8a6d3b">Evidence is incomplete: {{ . }}</p>
{{ end }}{{ end }}<p style="color:#777;font-size:12px;border-top:1px solid #ddd;padding-top:8px">{{ .Receiver }}, {{ .NotificationReason }}{{ with .ExternalURL }}, <a href="{{ . }}">{{ . }}</a>{{ end }}</p>
</body></html>
{{ end -}}
`
