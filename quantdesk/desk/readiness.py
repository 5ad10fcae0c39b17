import http.client


def readiness(host: str, port: int) -> tuple[bool, str]:
    """Ask the web process whether the whole exchange serves; the text tells what is missing."""
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return response.status == 200, response.read(2_000).decode(errors="replace").strip()
    except OSError as error:
        return False, f"the web process does not answer ({error})"
    finally:
        connection.close()
