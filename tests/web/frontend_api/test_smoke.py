from ..house import *
async def test_x(house, browser):
    a = await browser.sign_up()
    print(a.json()); print(set_cookies(a)); print(house.rows())
    assert (await house.browser().sign_in()).status_code==200
    assert 0
async def test_p(production):
    b = production.browser("https://app.example.com")
    a = await b.sign_up()
    print(set_cookies(a)); assert b.token; assert 0
