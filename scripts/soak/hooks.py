"""What schemathesis's HTTP client does not know: a connection that was answered 101 speaks WebSocket from then on, and
takes no further request."""

from urllib3.connection import HTTPConnection

_getresponse = HTTPConnection.getresponse


def getresponse(self):
    response = _getresponse(self)
    if response.status == 101:
        self.close()
    return response


HTTPConnection.getresponse = getresponse
