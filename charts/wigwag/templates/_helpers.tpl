{{/* Name of everything in the release: its own, with the chart's where that does not say it already. */}}
{{- define "wigwag.name" -}}
{{- $name := ternary .Release.Name (printf "%s-wigwag" .Release.Name) (contains "wigwag" .Release.Name) -}}
{{- printf "%s-operator" ($name | trunc 50 | trimSuffix "-") -}}
{{- end }}

{{- define "wigwag.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "wigwag.name" .) "default" .Values.serviceAccount.create) -}}
{{- end }}

{{- define "wigwag.selector" -}}
app.kubernetes.io/name: wigwag-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "wigwag.labels" -}}
{{ include "wigwag.selector" . }}
app.kubernetes.io/component: operator
app.kubernetes.io/part-of: wigwag
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{/* The namespaces that are watched, as JSON; an empty list means all. */}}
{{- define "wigwag.namespaces" -}}
{{- if eq .Values.scope "cluster" -}}
[]
{{- else -}}
{{ .Values.namespaces | default (list .Release.Namespace) | toJson }}
{{- end -}}
{{- end }}

{{/* What the operator may do with tenants and with what it makes for them. */}}
{{- define "wigwag.rules" -}}
# The custom resources: read them, tell how they fare.
- apiGroups: [wigwag.dev]
  resources: [whatsapptenants, flows]
  verbs: [get, list, watch]
- apiGroups: [wigwag.dev]
  resources: [whatsapptenants/status, flows/status]
  verbs: [patch]
# Secrets that tenants name: seen by their metadata, read where a tenant names them, never written.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
# What is made for a tenant. Deleting is the garbage collector's work, but for a route that was taken back.
- apiGroups: [""]
  resources: [serviceaccounts, configmaps, services]
  verbs: [get, list, watch, create, patch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch, create, patch, delete]
# Replicas of the data plane: found, asked what they run, and annotated so that their kubelets sync at once.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}
