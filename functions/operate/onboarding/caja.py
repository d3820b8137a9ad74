"""The secrets of the cuentas in Secrets Manager: `{stack}/cuentas/{alias}`. Nothing of their content is in an error."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from operate.onboarding.datos import NoSePuede

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import ListSecretsRequestTypeDef, SecretListEntryTypeDef

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}


class Ficha(NamedTuple):
    """What can be known of a secret without reading it. `borrado`: when somebody asked for its deletion."""

    alias: str
    descripcion: str
    cambiado: datetime | None
    borrado: datetime | None


@dataclass(frozen=True, slots=True)
class Caja:
    """`prefix`: `{stack}/cuentas`."""

    client: SecretsManagerClient
    prefix: str

    def ficha(self, alias: str) -> Ficha | None:
        with self._allowed("DescribeSecret"):
            try:
                said = self.client.describe_secret(SecretId=self._name(alias))
            except self.client.exceptions.ResourceNotFoundException:
                return None
        return Ficha(alias, said.get("Description", ""), said.get("LastChangedDate"), said.get("DeletedDate"))

    def fichas(self) -> list[Ficha]:
        """Of every cuenta, also of those whose secret is about to be deleted."""
        listed: list[SecretListEntryTypeDef] = []
        asked: ListSecretsRequestTypeDef = {
            "IncludePlannedDeletion": True,
            "Filters": [{"Key": "name", "Values": [f"{self.prefix}/"]}],
        }
        with self._allowed("ListSecrets"):
            while True:
                page = self.client.list_secrets(**asked)
                listed += page["SecretList"]
                if "NextToken" not in page:
                    break
                asked["NextToken"] = page["NextToken"]
        return [
            Ficha(
                secret["Name"].removeprefix(f"{self.prefix}/"),
                secret.get("Description", ""),
                secret.get("LastChangedDate"),
                secret.get("DeletedDate"),
            )
            for secret in sorted(listed, key=lambda s: s["Name"])
            if secret["Name"].startswith(f"{self.prefix}/")
        ]

    def create(self, alias: str, value: str, description: str) -> None:
        """Raises NoSePuede where there is one already: nobody's credentials are overwritten."""
        with self._allowed("CreateSecret"):
            try:
                self.client.create_secret(Name=self._name(alias), SecretString=value, Description=description)
            except self.client.exceptions.ResourceExistsException:
                raise exists(alias) from None

    def read(self, alias: str) -> str:
        with self._allowed("GetSecretValue"):
            try:
                return self.client.get_secret_value(SecretId=self._name(alias)).get("SecretString", "")
            except self.client.exceptions.ResourceNotFoundException:
                raise NoSePuede("CuentaDesconocida", f"No hay ninguna cuenta {alias} en {self.prefix}.") from None
            except self.client.exceptions.InvalidRequestException:
                raise about_to_be_deleted(alias) from None

    def write(self, alias: str, value: str) -> None:
        with self._allowed("PutSecretValue"):
            self.client.put_secret_value(SecretId=self._name(alias), SecretString=value)

    def delete(self, alias: str, *, days: int) -> datetime:
        """It can be restored until the instant that is given back."""
        with self._allowed("DeleteSecret"):
            return self.client.delete_secret(SecretId=self._name(alias), RecoveryWindowInDays=days)["DeletionDate"]

    def restore(self, alias: str) -> None:
        with self._allowed("RestoreSecret"):
            self.client.restore_secret(SecretId=self._name(alias))

    def _name(self, alias: str) -> str:
        return f"{self.prefix}/{alias}"

    @contextmanager
    def _allowed(self, action: str) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            if error.response["Error"]["Code"] not in DENIED:
                raise
            raise NoSePuede(
                "SinPermiso", f"AWS no le permite secretsmanager:{action} sobre {self.prefix}/*. No se hizo nada más."
            ) from None


def exists(alias: str) -> NoSePuede:
    return NoSePuede(
        "CuentaExiste", f"La cuenta {alias} ya tiene secreto: no se lo toca. Para probarla: cuenta probar."
    )


def about_to_be_deleted(alias: str) -> NoSePuede:
    return NoSePuede(
        "CuentaDeBaja", f"La cuenta {alias} se dio de baja. Para recuperarla: cuenta alta {alias} --recuperar."
    )
