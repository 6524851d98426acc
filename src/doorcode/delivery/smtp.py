"""placeholder"""
from doorcode.delivery.interface import Letter


class Smtp:
    name = "smtp"
    immediate = False

    def __init__(self, url: str, sender: str) -> None:
        self.url, self.sender = url, sender

    async def send(self, letter: Letter) -> None:
        raise NotImplementedError
