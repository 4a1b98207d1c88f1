{{/* What both pods of this chart share. */}}
{{- define "member.labels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* "restricted" of the Pod Security Standards. */}}
{{- define "member.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
# The volume's root alone is given to us. Files keep their modes: a key that its group may read is refused.
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "member.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{/* Unpacks folder.tgz into an empty volume. Renamed when whole; what is there already is never touched. */}}
{{- define "member.unpack" -}}
set -eu
umask 077
cd /var/lib/hybrid-bridge
if [ -d folder ]; then exit 0; fi
rm -rf unpacked
mkdir unpacked
tar --extract --gzip --no-same-owner --file /founded/folder.tgz --directory unpacked
{{- end }}
