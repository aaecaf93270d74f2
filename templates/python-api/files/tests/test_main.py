from fastapi.testclient import TestClient

from app.main import app

client = TestClient(app)


def test_says_hello():
    assert client.get("/").json() == {"message": "Hello, World!"}
    assert client.get("/", params={"name": "Ada"}).json() == {"message": "Hello, Ada!"}


def test_is_healthy():
    assert client.get("/healthz").status_code == 200
